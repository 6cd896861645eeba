"""The probe `api`: how long list, get, update, create, delete and the news of a watch take, as a client sees it.

A load is driven in an open loop (requests begin when they are due, whatever became of those before) or in a closed one
(each worker begins when its last request has ended). Only the open loop sees a stall as its users do.
"""
