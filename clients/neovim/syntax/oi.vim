" Markdown, where there is no parser for it; code in fences is added as languages come up.
if exists('b:current_syntax')
  finish
endif
if !exists('b:oi_parsed')
  runtime! syntax/markdown.vim
endif
let b:current_syntax = 'oi'
