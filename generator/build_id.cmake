# Writes OUT: a hash of everything that decides what code a candidate becomes. FILES: a text file
# with one path a line, relative to ROOT.
file(STRINGS ${FILES} paths)
set(all "")
foreach(path IN LISTS paths)
  file(SHA256 ${ROOT}/${path} sum)
  string(APPEND all "${path} ${sum}\n")
endforeach()
string(SHA256 hash "${all}")
string(SUBSTRING ${hash} 0 16 hash)
file(CONFIGURE OUTPUT ${OUT} CONTENT "#pragma once\n#define TRIT_GENERATOR_HASH \"${hash}\"\n" @ONLY)
