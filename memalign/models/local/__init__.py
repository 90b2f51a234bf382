"""The offline models: an embedder, a case classifier, an extractive distiller."""
