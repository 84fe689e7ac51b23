# Answers lookups: variables, descriptions and completions as JSON. Loaded at the first lookup, into an
# environment whose parent is that of the base functions, so that a user's function of the same name is not called.
#
# Nothing of the user's is run: no method, active binding or promise. So classes are taken off before a value is
# looked at, and elements are read by `.subset2`, which knows no methods.

longest <- 120L # characters of a preview
characters <- 80L # most characters of a text that are shown
items <- 8L # most elements that are shown

json_text <- function(text) {
  text <- enc2utf8(text)
  for (pair in list(c("\\", "\\\\"), c('"', '\\"'), c("\n", "\\n"), c("\t", "\\t")))
    text <- gsub(pair[1], pair[2], text, fixed = TRUE)
  paste0('"', gsub("[[:cntrl:]]", " ", text), '"')
}
json_texts <- function(texts) paste0("[", paste0(vapply(texts, json_text, ""), collapse = ","), "]")

unknown <- structure(list(), class = "unknown")
# Return a variable's value; `unknown` if it is a promise or an active binding, NULL if there is none.
value_of <- function(name, env) {
  if (!exists(name, env, inherits = FALSE)) return(NULL)
  if (bindingIsActive(as.name(name), env)) return(unknown)
  found <- .Internal(getVarsFromFrame(name, env, FALSE))
  if (identical(typeof(.subset2(found, 1L)), "promise")) unknown else .subset2(found, 1L)
}

# Return a value without its class; an environment or another reference as it is.
plain <- function(value) {
  if (typeof(value) %in% c("environment", "externalptr", "S4", "symbol", "weakref")) value else unclass(value)
}

# Return the name of a value's type: its first class, or what R's own documentation calls it.
type_of <- function(value) {
  class <- oldClass(value)
  if (identical(value, unknown)) return("unknown")
  if (is.character(class) && length(class)) return(class[[1L]])
  if (is.function(value)) return("function")
  dimensions <- attr(value, "dim", exact = TRUE)
  if (length(dimensions)) return(if (length(dimensions) == 2L) "matrix" else "array")
  if (typeof(value) == "double") "numeric" else typeof(value)
}

signature <- function(value) {
  names <- if (is.primitive(value)) names(formals(args(value))) else names(formals(value))
  paste0("function(", paste(names, collapse = ", "), ")")
}

# Return the texts of a vector's first elements.
elements <- function(value, depth) {
  count <- min(length(value), items)
  labels <- attr(value, "names", exact = TRUE)
  texts <- vapply(seq_len(count), function(i) {
    shown <- text_of(.subset2(value, i), depth - 1L)
    if (is.null(labels) || is.na(labels[i]) || labels[i] == "") shown else paste(labels[i], "=", shown)
  }, "")
  paste(c(texts, if (length(value) > count) "\u2026"), collapse = ", ")
}

text_of <- function(value, depth = 2L) {
  if (identical(value, unknown)) return("\u2026")
  if (is.null(value)) return("NULL")
  if (is.function(value)) return(signature(value))
  class <- oldClass(value)
  value <- plain(value)
  levels <- attr(value, "levels", exact = TRUE)
  if ("factor" %in% class && is.integer(value) && is.character(levels)) value <- levels[as.vector(value[seq_len(min(length(value), items + 1L))])]
  switch(typeof(value),
    character = if (length(value) == 1L) one_text(value) else paste0("c(", elements(value, depth), ")"),
    logical = , integer = , double = , complex = ,
    raw = if (length(value) == 1L) number(value) else paste0("c(", elements(value, depth), ")"),
    list = if (depth <= 0L) "list(\u2026)" else paste0("list(", elements(value, depth), ")"),
    language = , symbol = deparse(value, nlines = 1L)[1L],
    paste0("<", typeof(value), ">")
  )
}
one_text <- function(value) {
  value <- as.vector(value)
  if (is.na(value)) return("NA")
  paste0(encodeString(substr(value, 1L, characters), quote = '"'), if (nchar(value, "bytes") > characters) "\u2026")
}
number <- function(value) {
  value <- as.vector(value)
  if (is.na(value)) return(if (is.nan(value)) "NaN" else "NA")
  as.character(if (is.double(value)) signif(value, 7L) else value)
}

preview <- function(value) {
  text <- tryCatch(text_of(value), error = function(e) "\u2026")
  if (nchar(text) > longest) paste0(substr(text, 1L, longest - 1L), "\u2026") else text
}

# Return what is known of an array or a table as members of a JSON object.
shape <- function(value) {
  value <- plain(value)
  dimensions <- attr(value, "dim", exact = TRUE)
  if (is.null(dimensions)) return("")
  paste0(',"shape":[', paste(format_whole(as.vector(dimensions)), collapse = ","), "]")
}
format_whole <- function(numbers) sprintf("%.0f", as.double(numbers))
table_shape <- function(value) {
  rows <- abs(.row_names_info(value, 1L))
  value <- plain(value)
  names <- attr(value, "names", exact = TRUE)
  shown <- seq_len(min(length(names), 100L))
  kinds <- vapply(shown, function(i) type_of(.subset2(value, i)), "")
  columns <- sprintf('{"name":%s,"type":%s}', vapply(names[shown], json_text, ""), vapply(kinds, json_text, ""))
  sprintf(',"shape":[%s,%d],"columns":[%s]', format_whole(rows), length(names), paste(columns, collapse = ","))
}

entry <- function(name) {
  value <- value_of(name, globalenv())
  is_table <- "data.frame" %in% oldClass(value) && is.list(value)
  is_known <- !identical(value, unknown) && !is.function(value) && !is_table
  size <- if (is_known && is.vector(plain(value))) sprintf(',"size":%s', format_whole(length(plain(value)))) else ""
  text <- if (is_table) paste(utf8(attr(plain(value), "names")), collapse = ", ") else preview(value)
  sprintf('{"name":%s,"type":%s,"language":"r","preview":%s%s%s}', json_text(name), json_text(type_of(value)),
    json_text(if (nchar(text) > longest) paste0(substr(text, 1L, longest - 1L), "\u2026") else text), size,
    if (is_table) table_shape(value) else if (is_known) shape(value) else "")
}
# Return a variable that cannot be looked at, because it is damaged.
bare_entry <- function(name)
  sprintf('{"name":%s,"type":"unknown","language":"r","preview":""}', json_text(name))
utf8 <- function(texts) if (is.null(texts)) character() else enc2utf8(texts)

variables <- function(limit) {
  names <- ls(globalenv(), sorted = TRUE)
  is_code <- vapply(names, function(name) is.function(value_of(name, globalenv())), NA)
  names <- c(names[!is_code], names[is_code])
  shown <- names[seq_len(min(length(names), limit))]
  entries <- vapply(shown, function(name) tryCatch(entry(name), error = function(e) bare_entry(name)), "")
  sprintf('{"variables":[%s],"more":%d}', paste(entries, collapse = ","), length(names) - length(shown))
}

# Return the value of a path such as `a$b$c`; NULL if it is not known.
at_path <- function(path) {
  steps <- strsplit(path, "[$@]")[[1L]]
  value <- value_of(steps[1L], globalenv())
  if (is.null(value) && length(steps) == 1L) {
    for (env in c(lapply(seq_along(search())[-1L], as.environment), baseenv()))
      if (exists(steps[1L], env, inherits = FALSE)) return(get(steps[1L], env))
  }
  for (step in steps[-1L]) value <- member(value, step)
  if (identical(value, unknown)) NULL else value
}
member <- function(value, name) {
  if (is.environment(value)) return(value_of(name, value))
  value <- if (is.list(value)) plain(value)
  place <- match(name, attr(value, "names", exact = TRUE))
  if (is.na(place)) NULL else .subset2(value, place)
}
members <- function(value) {
  if (is.environment(value)) ls(value, sorted = TRUE)
  else if (is.list(value)) attr(plain(value), "names", exact = TRUE)
}

name_pattern <- "([[:alpha:].][[:alnum:]._]*([$@][[:alpha:].][[:alnum:]._]*)*)"
found_in <- function(pattern, text) {
  found <- regmatches(text, regexec(pattern, text))[[1L]]
  if (length(found)) found
}
called <- function(before) {
  found <- found_in(paste0(name_pattern, "\\(([^()]*)$"), before)
  if (!is.null(found)) found[2L]
}
keywords <- c("break", "else", "FALSE", "for", "function", "if", "in", "Inf", "NA", "NaN", "next", "NULL", "repeat",
  "TRUE", "while")

complete <- function(code, position, limit) {
  before <- substr(code, 1L, position)
  path <- found_in(paste0(name_pattern, "[$@]([[:alnum:]._]*)$"), before)
  word <- found_in("([[:alpha:].][[:alnum:]._]*)?$", before)
  kinds <- character()
  if (!is.null(path)) {
    beginning <- path[4L]
    kinds <- named(members(at_path(path[2L])), "variable")
  } else {
    beginning <- word[2L]
    fun <- at_path(c(called(before), "")[1L])
    if (is.function(fun)) kinds <- named(paste(setdiff(names(formals(args(fun))), "..."), "="), "parameter")
    own <- ls(globalenv(), sorted = TRUE)
    code <- vapply(own, function(name) is.function(value_of(name, globalenv())), NA)
    kinds <- c(kinds, named(own, ifelse(code, "function", "variable")), named(keywords, "keyword"))
    if (nchar(beginning)) for (env in c(lapply(seq_along(search())[-1L], as.environment), baseenv()))
      kinds <- c(kinds, named(ls(env, sorted = TRUE), "function"))
  }
  found <- names(kinds)
  kinds <- kinds[!duplicated(found) & startsWith(found, beginning) & found != beginning]
  kinds <- kinds[seq_len(min(length(kinds), limit))]
  sprintf('{"matches":%s,"kinds":%s,"start":%d,"end":%d}', json_texts(names(kinds)), json_texts(kinds),
    position - nchar(beginning), position)
}
named <- function(names, kinds) {
  names <- names[!is.na(names) & nzchar(names) & !startsWith(names, ".oi_")]
  stats <- rep_len(kinds, length(names))
  names(stats) <- names
  stats
}

inspect <- function(code, position) {
  rest <- found_in("^[[:alnum:]._]*", substr(code, position + 1L, nchar(code)))
  before <- paste0(substr(code, 1L, position), rest)
  path <- found_in(paste0(name_pattern, "$"), before)[2L]
  if (is.null(path) || is.null(at_path(path))) path <- called(before)
  value <- if (!is.null(path)) at_path(path)
  if (is.null(value)) return('{"data":{}}')
  text <- if (is.function(value)) sub("^function", path, signature(value))
    else paste0(path, ": ", type_of(value), " = ", preview(value))
  markdown <- paste0("```r\n", text, "\n```")
  sprintf('{"data":{"text/plain":%s,"text/markdown":%s}}', json_text(text), json_text(markdown))
}

# Return the answer to a lookup as JSON.
answer <- function(kind, position, limit, code) tryCatch(
  switch(kind, variables = variables(limit), complete = complete(code, position, limit), inspect(code, position)),
  error = function(e) "{}")
