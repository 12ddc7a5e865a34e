from . import channel, excuse, figure, metric, settlement, stage
