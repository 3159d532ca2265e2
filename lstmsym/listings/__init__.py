"""NumPy listings, read without being run: each statement judged against the derivation."""

from lstmsym.listings.read import Listing as Listing
from lstmsym.listings.read import read_listing as read_listing
from lstmsym.listings.source import Damage as Damage
from lstmsym.listings.source import ListingError as ListingError
