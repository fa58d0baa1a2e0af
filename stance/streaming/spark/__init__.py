"""Predictions on Spark. A folder of Parquet enters; another one leaves, complete or not at all.

files ─► rows as JSON ─► MLflow's spark_udf (stance.tracking.spark) ─► numbers ─► columns ─► Spark's committer

`session` starts Spark, `rows` reads and writes columns, `failures` turns what Java says into one line, `watching` tells
how far a job is, and `run` is the line through them.
"""

from stance.streaming.spark.run import SparkJob, predict_on_spark

__all__ = ["SparkJob", "predict_on_spark"]
