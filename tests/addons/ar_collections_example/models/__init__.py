from . import channel, day, excuse, figure, metric, settlement, stage, waiting
