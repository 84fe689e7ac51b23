" Markdown, where no parser highlights it. Languages of fences are added as they come up.
if exists('b:current_syntax')
  finish
endif
if !exists('b:oi_parsed')
  runtime! syntax/markdown.vim
endif
syntax sync match oiEnd grouphere NONE /^`\{3,}$/
let b:current_syntax = 'oi'
