"""A process as a handler's source: what it writes are the items, its exit code is the end.

>>> import anyio
>>> async def shout():
...     async for item in run(["tr", "a-z", "A-Z"], input="hello"):
...         print(item)
>>> anyio.run(shout)
Text(text='HELLO')
Finish()

A *kernel* is any executable that reads stdin and writes stdout, flushing as it goes. HUSK, whose word that
is, runs its kernels under Node.js; this is where we differ from it, from ``anyio.open_process``, and why:

1. A process is not opened by ``anyio.open_process``. On asyncio that reads ahead of its consumer, reaps the
   process in a thread or a signal handler of its own (so that a signal to the group may come after the number
   of the group is free for others), and has a read that ends only with a task. Here the pipes and the exit of
   the process are three descriptors in one selector, which is a descriptor itself: one `anyio.wait_readable`
   waits for all of them, on asyncio, uvloop and Trio. Nothing is read that was not asked for, a cancellation
   loses nothing, and no task group or cancel scope is open where the generator yields (PEP 789).
2. A run ends with its process, not with its pipes, as it does under Node.js: something in the background may
   keep a pipe open for ever. What was left behind in the group has a quarter of a second to write its last
   words (what ``tee`` does behind a shell); then it is killed.
3. The whole process group is killed, not the process alone, also after a good end. A kernel that wants to leave
   something running has to take it out of the group (``setsid``) and off its pipes.
4. There is backpressure: a kernel that writes faster than its output is asked for waits in its ``write``.
5. An unfinished code point at the end of stderr is dropped; HUSK puts U+FFFD into the buffered error's text.
"""

from ._options import Input
from ._run import KernelItem, run

__all__ = ["Input", "KernelItem", "run"]
