"""Names of what exports are from, as after `--from`. Apart from their readers, which take long to import."""

TOOLS = ("mlflow", "langfuse", "langsmith", "phoenix", "otlp")
TABLES = ("csv", "parquet")
"""Files of columns, of no tool."""
SOURCES = TOOLS + TABLES
