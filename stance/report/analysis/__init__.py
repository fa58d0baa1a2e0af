"""The analysts' report. Predictions enter; figures with intervals leave, as one page, a table or a picture.

predictions ─► read ─► copies marked ─► figures (counts corrected for the model's errors) ─► page, table, picture
"""
