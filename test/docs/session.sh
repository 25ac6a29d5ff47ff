#!/usr/bin/env bash
# The shell in which the blocks of one page run one after the other, so that a variable of one is there in the next.
# Orders come on descriptor 3, one a line: KIND FILE STDOUT STDERR. Answers go to descriptor 4, one a line.
set -euo pipefail
set -E
trap 'printf "failed %s %s\n" "$LINENO" "${BASH_SOURCE[0]:-}" >&4' ERR

while IFS=$'\t' read -r docs_order docs_file docs_out docs_err <&3; do
  case $docs_order in
    run)
      # shellcheck disable=SC1090
      source "$docs_file" </dev/null >"$docs_out" 2>"$docs_err"
      printf 'done 0\n' >&4
      ;;
    # A block that does not end by itself: in a process group of its own, which can be stopped without the shell.
    endless)
      set -m
      # shellcheck disable=SC1090
      (
        exec 3<&-
        source "$docs_file"
      ) </dev/null >"$docs_out" 2>"$docs_err" &
      docs_child=$!
      set +m
      printf 'group %s\n' "$docs_child" >&4
      docs_status=0
      wait "$docs_child" || docs_status=$?
      printf 'done %s\n' "$docs_status" >&4
      ;;
    # The value of the variable that FILE names; a variable that is not set ends the session.
    value)
      docs_value=${!docs_file?is not set}
      printf '%s' "$docs_value" >"$docs_out"
      printf 'done 0\n' >&4
      ;;
  esac
done
