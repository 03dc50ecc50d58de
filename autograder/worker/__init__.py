"""What runs in the untrusted process: nothing here knows a test, a reference or an expected value.

Imports nothing else of the package but `wire`.
"""
