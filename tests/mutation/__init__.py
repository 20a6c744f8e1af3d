"""Would the tests notice a wrong derivative rule?  Each is made wrong in every small way, and then a test must fail.

    python -m tests.mutation [--only OP ...] [--jobs N] [--log FILE.jsonl] [--resume]

`sites` (where rules stand in the source), `changes` (in which ways one is made wrong), `mutants` (all of them, and how
one is put in place of the rule), `verdict` (does a test fail?), `equivalent` (changes that compute the same).
"""
