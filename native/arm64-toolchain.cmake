# Cross-compiles for arm64 with Debian's g++-aarch64-linux-gnu. Libraries come from NATIVE_SYSROOT, which holds this Debian's
# own packages for arm64; tools, such as pkg-config, are this machine's.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)

# CMake reads this file again for each compilation that it tries, and would not know the variable there.
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES NATIVE_SYSROOT)
set(CMAKE_SYSROOT ${NATIVE_SYSROOT})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(ENV{PKG_CONFIG_SYSROOT_DIR} ${NATIVE_SYSROOT})
set(ENV{PKG_CONFIG_LIBDIR} ${NATIVE_SYSROOT}/usr/lib/aarch64-linux-gnu/pkgconfig:${NATIVE_SYSROOT}/usr/share/pkgconfig)

# For ctest, of a build with tests.
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64-static -L ${NATIVE_SYSROOT})
