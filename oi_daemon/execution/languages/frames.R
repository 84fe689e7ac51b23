# Gives the functions by which the user's code asks for the stack, without the frames of `boot.R`.
#
# Their value is a list of functions with the names of R's own, which they hide. `depth` is how many frames
# lie below the user's code. Inside of this file, frames are counted from there, and 0 is the top.
function(depth) {
  force(depth)
  # Return the number of the frame that has this environment; 0 if it is the top.
  number <- function(environment) {
    found <- which(vapply(as.list(base::sys.frames()), identical, NA, environment))
    max(found - depth, 0L)
  }
  # Return the parents of the first so many frames.
  parents <- function(count) pmax(base::sys.parents()[depth + seq_len(count)] - depth, 0L)
  # Return the parent of this frame, n times.
  ancestor <- function(frame, n) {
    all <- parents(frame)
    while (n > 0 && frame > 0L) {
      frame <- all[frame]
      n <- n - 1
    }
    frame
  }
  # Return the frame that `which` means in `frame`: a number from the top, or, if it is not positive, from there.
  chosen <- function(which, frame) {
    result <- if (which > 0) which else frame + which
    if (result < 0 || result > frame) stop(simpleError("not that many frames on the stack", base::sys.call(-1)))
    as.integer(result)
  }
  first <- function(all, count) if (count > 0L) as.pairlist(as.list(all)[depth + seq_len(count)]) else NULL

  list(
    sys.nframe = function() number(base::parent.frame()),
    sys.parent = function(n = 1) ancestor(number(base::parent.frame()), n),
    sys.parents = function() parents(number(base::parent.frame())),
    sys.calls = function() first(base::sys.calls(), number(base::parent.frame())),
    sys.frames = function() first(base::sys.frames(), number(base::parent.frame())),
    parent.frame = function(n = 1) {
      frame <- ancestor(number(base::parent.frame()), n)
      if (frame == 0L) globalenv() else base::sys.frame(depth + frame)
    },
    sys.frame = function(which = 0) {
      frame <- if (which == 0) 0L else chosen(which, number(base::parent.frame()))
      if (frame == 0L) globalenv() else base::sys.frame(depth + frame)
    },
    sys.call = function(which = 0) {
      frame <- chosen(which, number(base::parent.frame()))
      if (frame > 0L) base::sys.call(depth + frame) else NULL
    },
    sys.function = function(which = 0) {
      frame <- chosen(which, number(base::parent.frame()))
      if (frame > 0L) base::sys.function(depth + frame) else NULL
    }
  )
}
