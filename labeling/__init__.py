"""Everything about Label Studio and annotation.

examples ─► tasks ─► push ⇢ annotators ⇢ pull ─► annotations ─► agreement ─► adjudication ─► gold
"""
