from . import channel, excuse, figure, metric, stage
