# A persistent R that runs blocks: `OI_R="NONCE CONTROL ANSWERS SOURCE" R --file=start.R`.
#
# Over CONTROL, the daemon sends a block's number on a line, and control messages are sent to the
# daemon; the block's text is in the file SOURCE. Lines of input come in over ANSWERS. R cannot open a
# socket by its descriptor, so a bash reads and writes them. A mark's kind is L (this line is active), D
# (the control message with this number belongs here) or E (the block has ended). Interrupts are suspended
# except where the user's code runs. This runs under R 3.5 too.
suspendInterrupts(local({
  given <- strsplit(Sys.getenv("OI_R"), " ")[[1]]
  nonce <- given[1]
  control <- given[2]
  answers <- given[3]
  source_file <- paste0("/dev/fd/", given[4])
  Sys.unsetenv("OI_R")
  # When R sleeps, it puts its handler of interrupts aside. One that came in that very moment of its first sleep
  # would have left none, and the next one would have ended R.
  Sys.sleep(1e-5)

  # Functions that write, or take long. The user's code gets copies that mark the line; here they are R's own.
  marking <- c("cat", "message", "print", "Sys.sleep", "system", "system2", "warning", "write", "writeLines")
  for (name in marking) assign(name, get(name, baseenv()))

  # Run a script in bash, and return the lines that it writes.
  bash <- function(script, ...) {
    system(paste("exec bash -c", shQuote(sprintf(script, ...))), intern = TRUE)
  }
  # Return the next line from a descriptor; nothing at its end, or after an interrupt.
  read_line <- function(descriptor, prepare = ":", otherwise = "false") {
    script <- "%s; IFS= read -r line <&%s && printf '%%s\\n' \"$line\" || %s"
    bash(script, prepare, descriptor, otherwise)
  }
  ignore_interrupts <- "trap '' INT"
  # Return the number of the next block; "end" if the daemon is gone. An interrupt that is too late for
  # the last block can kill bash before it ignores interrupts: then it is started again.
  read_request <- function() {
    for (attempt in 1:100) {
      line <- suppressWarnings(
        read_line(control, ignore_interrupts, otherwise = "echo end")
      )
      if (length(line)) return(line)
    }
    "end"
  }

  # Write a mark to stderr, which is the same pipe as stdout and not buffered. If the user has diverted
  # it by `sink`, write to descriptor 2 instead.
  mark <- function(kind, number) {
    to <- stderr()
    if (sink.number("message") != 2L) {
      to <- file("/dev/fd/2", "wb", raw = TRUE)
      on.exit(close(to))
    }
    cat("\036", nonce, kind, sprintf("%d", as.integer(number)), "\037", sep = "", file = to)
  }

  # Mark the active line. After 5,000 marks in one statement, no more are written, because they would
  # slow a loop down.
  current <- 0L
  statement_line <- 0L # the line of the statement that runs, at the top or in braces there
  marks_left <- 0L
  hook <- attach(list(.oi_on = TRUE, .oi_line = NULL), name = "tools:oi", warn.conflicts = FALSE)
  line <- function(number) {
    if (number == current) return(invisible())
    current <<- number
    mark("L", number)
    marks_left <<- marks_left - 1L
    if (marks_left <= 0L) hook$.oi_on <- FALSE
  }
  begin_statement <- function(number) {
    statement_line <<- number
    line(number)
  }
  # Return the line at which the innermost function of the block is; if none is running, that of the statement.
  line_on_stack <- function(text) {
    for (call in rev(base::sys.calls())) {
      place <- attr(call, "srcref")
      if (!is.null(place) && identical(attr(place, "srcfile"), text)) return(as.integer(place)[1])
    }
    statement_line
  }
  block_text <- NULL
  hook$.oi_line <- begin_statement
  hook$.oi_here <- function() if (hook$.oi_on) line(line_on_stack(block_text))
  for (name in marking) {
    copy <- get(name, baseenv())
    body(copy) <- bquote({
      .(hook$.oi_here)()
      .(body(copy))
    })
    assign(name, copy, hook)
  }

  # Return a statement that marks the lines inside its braces as well. Only calls of these functions are
  # changed, which run their arguments at once: functions and quoted expressions stay as they are written.
  at_once <- c("{", "(", "if", "for", "while", "repeat", "<-", "=", "<<-", "try", "tryCatch", "local",
    "withCallingHandlers", "suppressWarnings", "suppressMessages", "system.time", "invisible")
  marked <- function(code) {
    if (!is.call(code) || !is.name(code[[1]]) || !as.character(code[[1]]) %in% at_once) return(code)
    places <- attr(code, "srcref")
    for (i in seq_along(code)[-1]) if (is.call(code[[i]])) code[[i]] <- marked(code[[i]])
    if (is.null(places) || length(places) != length(code)) return(code)
    parts <- list(as.name("{"))
    for (i in seq_along(code)[-1]) {
      number <- as.integer(places[[i]])[1]
      parts <- c(parts, bquote(if (.oi_on) .oi_line(.(number))), list(code[[i]]))
    }
    as.call(parts)
  }

  # Send a line of JSON over CONTROL, in one piece.
  send <- function(json) {
    file <- tempfile()
    on.exit(unlink(file))
    writeLines(json, file, useBytes = TRUE)
    bash("%s; exec cat %s >&%s", ignore_interrupts, shQuote(file), control)
  }
  # Send a control message, mark where it belongs, and return its number.
  messages <- 0L
  notify <- function(...) {
    messages <<- messages + 1L
    fields <- c(number = as.character(messages), ...)
    send(sprintf("{%s}", paste0('"', names(fields), '":', fields, collapse = ",")))
    mark("D", messages)
    messages
  }
  # Answer a lookup: a line that says `?`, its number, kind, position and limit, and code in hexadecimal.
  lookups <- NULL
  look_up <- function(line) {
    if (is.null(lookups)) {
      boot <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1])
      lookups <<- new.env(parent = baseenv())
      sys.source(file.path(dirname(boot), "lookups.R"), lookups)
    }
    words <- strsplit(line, " ", fixed = TRUE)[[1]]
    code <- if (length(words) > 5L) from_hexadecimal(words[6]) else ""
    json <- lookups$answer(words[3], as.integer(words[4]), as.integer(words[5]), code)
    send(sprintf('{"number":%s,"answer":%s}', words[2], json))
  }
  json_text <- function(text) {
    text <- enc2utf8(paste(text, collapse = "\n"))
    for (pair in list(c("\\", "\\\\"), c('"', '\\"'), c("\n", "\\n"), c("\t", "\\t")))
      text <- gsub(pair[1], pair[2], text, fixed = TRUE)
    paste0('"', gsub("[[:cntrl:]]", " ", text), '"')
  }
  base64 <- function(bytes) {
    digits <- c(LETTERS, letters, 0:9, "+", "/")
    padding <- -length(bytes) %% 3
    triples <- matrix(c(as.integer(bytes), integer(padding)), 3)
    whole <- triples[1, ] * 65536L + triples[2, ] * 256L + triples[3, ]
    places <- rbind(whole %/% 262144L, whole %/% 4096L %% 64L, whole %/% 64L %% 64L, whole %% 64L)
    text <- digits[places + 1L]
    text[length(text) - seq_len(padding) + 1L] <- "="
    paste(text, collapse = "")
  }

  from_hexadecimal <- function(digits) {
    starts <- seq(1, nchar(digits), 2)
    text <- rawToChar(as.raw(strtoi(substring(digits, starts, starts + 1), 16L)))
    Encoding(text) <- "UTF-8"
    text
  }
  # Request a line of input, and return it.
  ask <- function(prompt = "", password = FALSE) {
    number <- notify(input = json_text(prompt), password = if (password) "true" else "false")
    repeat {
      answer <- suppressWarnings(allowInterrupts(read_line(answers)))
      if (!length(answer)) return("")
      answer <- strsplit(answer, " ", fixed = TRUE)[[1]]
      if (answer[1] == number) break
    }
    if (length(answer) < 2) return("")
    sub("\n$", "", from_hexadecimal(answer[2]))
  }
  # R takes this file for its console. So `stdin()` is replaced by a connection to descriptor 0.
  console <- NULL
  open_console <- function() {
    if (!tryCatch(isOpen(console), error = function(e) FALSE)) console <<- file("stdin", "r")
    console
  }
  replace <- function(name, with) {
    unlockBinding(name, baseenv())
    assign(name, with, baseenv())
    lockBinding(name, baseenv())
  }
  replace("readline", function(prompt = "") suspendInterrupts(ask(prompt)))
  replace("stdin", open_console)

  # Each page of a plot becomes a file. It is complete when the next page has begun or the device is closed.
  folder <- tempfile("plots")
  dir.create(folder)
  pages <- file.path(folder, "%06d.png")
  open_plot <- function(...) {
    type <- if (capabilities("cairo")) "cairo" else getOption("bitmapType")
    grDevices::png(pages, 960, 720, res = 120, type = type)
  }
  plot_devices <- function() {
    has_our_pages <- function(i) identical(attr(.Devices[[i]], "filepath"), pages)
    Filter(has_our_pages, grDevices::dev.list())
  }
  show_plots <- function(...) {
    files <- sort(list.files(folder, full.names = TRUE))
    if (length(plot_devices())) files <- files[-length(files)]
    for (file in files) {
      picture <- base64(readBin(file, "raw", file.size(file)))
      notify(display = paste0('{"image/png":"', picture, '"}'))
      unlink(file)
    }
  }
  close_plots <- function() {
    for (device in plot_devices()) grDevices::dev.off(device)
    show_plots()
  }
  for (begun in c("plot.new", "grid.newpage"))
    setHook(begun, function(...) suspendInterrupts(show_plots()))

  # Report errors and warnings in R's own words, with the line of the block. Calls of this file are not
  # named, because R's console does not name its own either.
  is_ours <- function(call) {
    is.null(call) || identical(call, quote(eval(statement, globalenv()))) || identical(call[[1]], quote(parse_block))
  }
  warned <- function(warning) {
    if (getOption("warn") == 1L && is_ours(conditionCall(warning))) {
      cat("Warning: ", conditionMessage(warning), "\n", sep = "", file = stderr())
      invokeRestart("muffleWarning")
    }
  }
  reported <- FALSE
  report <- function(error, text = NULL) {
    line(line_on_stack(text))
    where <- if (is_ours(conditionCall(error))) "" else paste(" in", deparse(conditionCall(error), nlines = 1L)[1])
    at <- if (current) sprintf(" (line %d)", current) else ""
    message <- conditionMessage(error)
    long <- nchar(where) + nchar(strsplit(message, "\n")[[1]][1]) > 60
    cat("Error", where, at, if (isTRUE(long)) ":\n  " else ": ", message, "\n", sep = "", file = stderr())
    reported <<- TRUE
    tell(class(error)[1], message, if (!is.null(text)) calls_of_block(base::sys.calls()))
  }
  # Return the calls that led to an error, as text: without those before and after it, which are of this file.
  calls_of_block <- function(calls) {
    calls <- calls[seq_along(calls) > Position(is_ours, calls, right = TRUE, nomatch = length(calls))]
    is_handler <- function(call) is.function(call[[1]]) || identical(call[[1]], quote(.handleSimpleError))
    end <- Position(is_handler, calls, nomatch = length(calls) + 1L)
    vapply(calls[seq_len(end - 1L)], function(call) deparse(call, nlines = 1L)[1], "")
  }
  # Tell the daemon of an error as data.
  tell <- function(name, message, calls) try(silent = TRUE, {
    lines <- paste(vapply(calls, json_text, ""), collapse = ",")
    notify(error = sprintf('{"name":%s,"message":%s,"traceback":[%s]}', json_text(name), json_text(message), lines))
  })

  # Hide the frames of this file from the user's code; `depth` of them lie below it.
  file <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1])
  frames <- eval(parse(file.path(dirname(file), "frames.R"), keep.source = FALSE)[[1]], baseenv())
  frames_hidden <- FALSE
  hide_frames <- function(depth) {
    functions <- frames(depth)
    for (name in names(functions)) assign(name, functions[[name]], hook)
    frames_hidden <<- TRUE
  }

  parse_block <- parse
  run <- function(statement, number) {
    if (!frames_hidden) {
      depth <- withVisible(eval(quote(base::sys.nframe()), globalenv()))$value # not in a promise, which adds frames
      hide_frames(depth)
    }
    hook$.oi_on <- TRUE
    marks_left <<- 5000L
    begin_statement(number)
    statement <- marked(statement)
    result <- withVisible(eval(statement, globalenv()))
    replace(".Last.value", result$value)
    if (result$visible) {
      line(statement_line)
      print(result$value)
    }
  }
  run_block <- function() {
    lines <- readLines(source_file, warn = FALSE, encoding = "UTF-8")
    block_text <<- text <- srcfilecopy("<block>", lines)
    withCallingHandlers({
      statements <- parse_block(text = lines, srcfile = text, keep.source = TRUE, encoding = "UTF-8")
      places <- attr(statements, "srcref")
      for (i in seq_along(statements))
        allowInterrupts(run(statements[[i]], as.integer(places[[i]])[1]))
    }, error = function(error) suspendInterrupts(report(error, text)), warning = warned)
  }
  interrupted <- function(interrupt) cat("Interrupted (line ", current, ")\n", sep = "", file = stderr())
  quiet <- function(...) NULL
  guarded <- function(code, interrupt = quiet) {
    late <- function(error) if (!reported) report(error) # the stack was full when the error was raised
    withRestarts(tryCatch(code, error = late, interrupt = interrupt), abort = quiet)
  }

  options(device = open_plot, askpass = function(prompt) suspendInterrupts(ask(prompt, TRUE)),
    keep.source = TRUE, menu.graphics = FALSE, pager = "cat", deparse.max.lines = 3)
  if (getOption("warn") == 0) options(warn = 1) # show warnings at once, not at R's next prompt
  repeat {
    number <- read_request()
    if (number == "end") quit("no")
    if (startsWith(number, "?")) {
      guarded(look_up(number))
      next
    }
    guarded(allowInterrupts(Sys.sleep(0))) # drop an interrupt that was too late for the last block
    current <- statement_line <- 0L
    reported <- FALSE
    guarded(run_block(), interrupt = interrupted)
    guarded(close_plots())
    mark("E", number)
  }
}))
