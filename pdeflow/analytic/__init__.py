"""Closed forms that are more than one law: flows in time and JKO sequences."""
