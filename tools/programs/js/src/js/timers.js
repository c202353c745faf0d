// setTimeout and its relatives. Called when a script first touches one of them.
(function (host) {
  'use strict';
  // Timers run in the order in which they are due, when no promise has anything left to do.
  let timers = [], lastTimer = 0;
  const start = (callback, delay, values, every) => {
    const wait = Math.max(0, Number(delay) || 0);
    timers.push({ id: ++lastTimer, due: host.now() + wait, callback, values, every: every ? Math.max(1, wait) : 0 });
    return lastTimer;
  };
  const stop = (id) => { timers = timers.filter((timer) => timer.id !== Number(id)); };
  const setTimeout = (callback, delay, ...values) => start(callback, delay, values, false);
  const setInterval = (callback, delay, ...values) => start(callback, delay, values, true);
  const setImmediate = (callback, ...values) => start(callback, 0, values, false);
  // Runs the timer that is due next; gives false when there is none.
  function tick() {
    if (!timers.length) return false;
    const next = timers.reduce((first, timer) => (timer.due < first.due ? timer : first));
    host.sleep(Math.max(0, next.due - host.now()));
    if (next.every) next.due = host.now() + next.every;
    else stop(next.id);
    next.callback(...next.values);
    return true;
  }
  return { setTimeout, setInterval, setImmediate, clearTimeout: stop, clearInterval: stop, clearImmediate: stop, tick };
})
