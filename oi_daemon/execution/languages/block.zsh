# Sourced by boot.zsh for each block.
trap "$__oi_line" DEBUG
() { return $1 } $__oi_status
eval "$__oi_code"
