# Linux AArch64 from any Debian host: Debian's cross compiler, the arm64 packages of packages.txt
# beside this file, programs run by qemu-user.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)

set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
find_program(CMAKE_CROSSCOMPILING_EMULATOR NAMES qemu-aarch64 qemu-aarch64-static REQUIRED)

# Debian keeps arm64 libraries under /usr/lib/aarch64-linux-gnu and shares /usr/include and
# /usr/share between architectures; what is only under the host's own folder must not be found.
set(CMAKE_FIND_ROOT_PATH /)
list(APPEND CMAKE_IGNORE_PREFIX_PATH /usr/lib/x86_64-linux-gnu)
set(ENV{PKG_CONFIG_LIBDIR} /usr/lib/aarch64-linux-gnu/pkgconfig:/usr/share/pkgconfig)
