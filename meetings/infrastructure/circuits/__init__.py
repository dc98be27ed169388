"""Sparing providers that do not answer or ask for patience, and everybody else the wait for them (RT-2, RT-5, RT-6).

`Circuits` is around every call for calendars and push channels; `Places` keeps one provider from taking a whole worker.
"""
