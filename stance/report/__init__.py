"""Pages about runs: a run, or two of them, enters; one HTML file that needs no network leaves.

`pages` reads and writes, `run_page` and `comparison_page` choose what is said, `comparison` computes what differs,
`drawings` draws, `rendering` fills the templates.
"""
