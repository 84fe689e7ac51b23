# Starts `boot.R`, for `R --file=start.R`. Of an expression as long as that file, R's own reader of programs takes
# 50 times as long as `parse`.
eval(parse(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1])), "boot.R"),
  keep.source = FALSE, encoding = "UTF-8")[[1]])
