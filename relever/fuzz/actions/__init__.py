"""What is done next.

A `Planner` chooses each step by the state of the model, so that most of what is tried succeeds and
rare states come about: positions near their thresholds, slashes on who waits in the queue, markets
without cash. It only reads the model, and all chance is in the `Random` that it is given.

Each module holds the ways of one area: functions of the planner that make one action, listed in
`WAYS` with their weights. `machines` says which of them a machine has.
"""
