"""Commands of a shell line, as words: enough of the grammar to see which program is called with what.

Source: POSIX Shell Command Language, 2.2 Quoting, 2.9 Shell Commands. Nothing is expanded but quotes.
"""

import re
import shlex

_SEPARATORS = frozenset({"&&", "||", ";", "|", "&", "(", ")", "{", "}", "then", "do", "else", ";;", "\n"})
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_WRAPPERS = frozenset({"sudo", "exec", "command", "env", "time", "nice", "if", "while", "!", "doas"})
_LONGEST = 64 * 1024


def commands(line: str) -> list[list[str]]:
    """Return the simple commands of a line, each as its words, without assignments and wrappers before them.

    A line whose quotes do not end is split at spaces, so that nothing is lost silently.
    """
    lexer = shlex.shlex(line[:_LONGEST], posix=True, punctuation_chars="();<>|&\n")
    lexer.whitespace = " \t\r"
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        words = list(lexer)
    except ValueError:
        words = line[:_LONGEST].split()
    found: list[list[str]] = [[]]
    for word in words:
        if word in _SEPARATORS or set(word) <= set("();|&\n"):
            found.append([])
        else:
            found[-1].append(word)
    return [command for command in map(_plain, found) if command]


def _plain(words: list[str]) -> list[str]:
    start = 0
    while start < len(words) and (words[start] in _WRAPPERS or _ASSIGNMENT.match(words[start])):
        start += 1
    return words[start:]
