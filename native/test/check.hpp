// The few words a native test needs: CHECK says where it failed and with what, and the process ends with 1.
#pragma once

#include <cstdio>
#include <cstdlib>

#define CHECK(condition)                                                                       \
    do {                                                                                       \
        if (!(condition)) {                                                                    \
            std::fprintf(stderr, "%s:%d: CHECK(%s) failed\n", __FILE__, __LINE__, #condition); \
            std::exit(1);                                                                      \
        }                                                                                      \
    } while (false)

#define CHECK_THROWS(expression, type)                                                               \
    do {                                                                                             \
        bool caught = false;                                                                         \
        try {                                                                                        \
            static_cast<void>(expression);                                                           \
        } catch (const type&) {                                                                      \
            caught = true;                                                                           \
        }                                                                                            \
        if (!caught) {                                                                               \
            std::fprintf(stderr, "%s:%d: %s threw no %s\n", __FILE__, __LINE__, #expression, #type); \
            std::exit(1);                                                                            \
        }                                                                                            \
    } while (false)
