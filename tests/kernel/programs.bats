# Real programs inside.
load ../lib/umbel
setup() { umbel_setup && needs_root; }
teardown() {
  # A server that stays would keep bats waiting.
  command tmux -L "umbel-$BATS_TEST_NUMBER-$$" kill-server 2>/dev/null || true
  umbel_teardown
}

@test "python3 with threads and sqlite" {
  equal "$(umbel run --rm -- python3 -c '
import sqlite3, threading, queue
db = sqlite3.connect("/tmp/test.db"); db.execute("create table t(x)")
q = queue.Queue()
threads = [threading.Thread(target=q.put, args=(i,)) for i in range(50)]
[t.start() for t in threads]; [t.join() for t in threads]
db.executemany("insert into t values(?)", [(q.get(),) for _ in range(50)]); db.commit()
print(db.execute("select sum(x) from t").fetchone()[0])')" 1225
}

@test "a g++ compile, thrown away" {
  needs_command g++
  echo '#include <iostream>
int main() { std::cout << "compiled\n"; }' >hello.cpp
  equal "$(umbel run --rm -- sh -c 'g++ hello.cpp -o hello && ./hello')" compiled
  [[ ! -e hello ]]
}

@test "redis-server, and redis-cli from a container that shares its net" {
  needs_command redis-server
  umbel run -d --name db -- redis-server --save '' --bind 127.0.0.1
  eventually umbel run --rm --net with:db -- redis-cli ping
  umbel run --rm --net with:db -- redis-cli set key value
  equal "$(umbel run --rm --net with:db -- redis-cli get key)" value
  run umbel run --rm -- redis-cli ping
  contains "$output" "refused"
}

@test "bash under a terminal: job control, window size, Ctrl-C, detach and attach again" {
  needs_command tmux
  tmux() { command tmux -L "umbel-$BATS_TEST_NUMBER-$$" "$@"; }
  screen() { tmux capture-pane -p; }
  shows() { screen | grep -q "$1"; }
  tmux -f /dev/null new-session -d -x 100 -y 30 "UMBEL_HOME=$UMBEL_HOME $UMBEL run -it --name a -- bash --norc; echo ended \$?; sleep 1000"
  export -f tmux screen shows 2>/dev/null || true
  eventually shows '#'
  tmux send-keys 'stty size' Enter
  eventually shows '30 100'
  tmux send-keys 'sleep 500' Enter; sleep 0.5
  tmux send-keys C-z; eventually shows Stopped
  tmux send-keys 'jobs; fg' Enter; sleep 0.5
  tmux send-keys C-c; sleep 0.3
  tmux send-keys 'echo still-$((40+2))' Enter
  eventually shows still-42
  tmux send-keys C-p C-q
  eventually shows 'ended 0'
  equal "$(umbel ps --json | jq -r '.[0].status')" running
  tmux kill-server
  umbel exec a true
}
