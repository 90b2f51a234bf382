"""Pages to hand on: records in, one self-contained HTML document out; pure."""
