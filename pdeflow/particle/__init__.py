"""particle"""
