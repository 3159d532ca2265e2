"""Reports on a document: from a `Result` to the terminal, JSON, Markdown and one page of HTML.

Result -> table.shown | plain.as_json | markdown.as_markdown | page.as_html
"""
