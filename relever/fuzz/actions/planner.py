from tests.properties.test_protocol_model import Walk, TIMES
from relever.model.protocol import Action, Step


class Planner:
    def __init__(self, model, draw, machine="protocol"):
        self.w = Walk(model, 0)
        self.w.draw = draw

    def opening(self):
        return [Step(a) for a in self.w.opening()]

    def next(self):
        w = self.w
        a = w.next()
        s = b = 0
        b = w.draw.choice([1, 1, 1, 20, 60])
        if a.name == "world.pass":
            (s,) = a.arguments
            a = Action("oracle.poke", "keeper")
        elif not w.plan and w.draw.random() < 0.25:
            s = w.draw.choice(TIMES)
        return Step(a, s, b) if s else Step(a)
