"""The agreement of the demonstration, in plain words. It is nobody's contract, and says so."""

SUMMARY = """\
You try Greenroom on your own machine. Everybody here is made up, and so are the credits.

What you make is yours. You may say what you think of it, in public too.

Nothing leaves this machine. You can stop at any time, and `make reset` deletes everything."""

TEXT = """\
1. What this is. A demonstration of Greenroom with invented people and invented credits. Nobody \
becomes anybody's contractor by it, and no money changes hands.

2. What you may do. Make clips with the models offered here, up to the credits you were granted; \
look at them, download them, delete the whole installation.

3. What is yours. The prompts you write and the clips you make. The programme claims no right to \
use them for training, evaluation or publicity; each of these would be asked separately, and no \
is the answer until you say yes.

4. What you may say. Anything you like about the models, the programme and these terms. Criticism \
is never a reason for losing access.

5. What is recorded. Each job names the sign-in or token that asked for it, its price and its \
outcome. When somebody of the staff opens a clip of yours, its page tells you who in which role, \
when and why.

6. What is not allowed. Clips of real people without their consent, and what the law forbids.

7. How it ends. You may decline these terms or a later version of them at any time; what you made \
before stays yours, and you can still reach it.
"""
