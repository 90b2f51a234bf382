"""Tests of the reply reader."""
