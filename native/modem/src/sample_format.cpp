#include "modem/src/sample_format.hpp"

#include <cstring>

#include "modem/src/kernels.hpp"

namespace streamverse::modem {

void FormatSamples(std::span<const Point> samples, SampleFormat format, std::vector<uint8_t>& bytes) {
    if (samples.empty()) {
        return;
    }
    const size_t begin = bytes.size();
    bytes.resize(begin + samples.size() * SampleBytes(format));
    if (format == SampleFormat::kFloat) {
        std::memcpy(bytes.data() + begin, samples.data(), samples.size_bytes());
        return;
    }
    ActiveKernels().toIntegers(&samples.data()->i, samples.size() * 2, kUnitInteger, bytes.data() + begin);
}

}  // namespace streamverse::modem
