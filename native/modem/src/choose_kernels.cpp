#include "modem/src/kernels.hpp"

namespace streamverse::modem {

extern const Kernels baseline;
#ifdef MODEM_X86_LEVELS
extern const Kernels avx2;
extern const Kernels avx512;
#endif

const Kernels& ActiveKernels() {
#ifdef MODEM_X86_LEVELS
    // What -march=x86-64-v4 and -v3 let the compiler use.
    if (__builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
        __builtin_cpu_supports("avx512cd") != 0 && __builtin_cpu_supports("avx512dq") != 0 &&
        __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("bmi2") != 0) {
        return avx512;
    }
    if (__builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0 &&
        __builtin_cpu_supports("bmi") != 0 && __builtin_cpu_supports("bmi2") != 0) {
        return avx2;
    }
#endif
    return baseline;
}

}  // namespace streamverse::modem
