// From a driver's measures to physical units. Pure.
#pragma once

#include <cstdint>
#include <optional>

namespace streamverse::dvb {

// One value of the kernel's struct dtv_stats.
struct Measure {
    enum class Scale { none, decibel, relative, counter };
    Scale scale = Scale::none;
    int64_t value = 0;  // thousandths of a decibel, or of 65535, or events since tuning
};

struct RawStatistics {
    uint32_t status = 0;  // enum fe_status
    Measure strength = {};
    Measure noise = {};
    // Before the inner code (LDPC, Viterbi), then after it.
    Measure preErrors = {}, preBits = {};
    Measure postErrors = {}, postBits = {};
    Measure blockErrors = {}, blocks = {};
};

struct Statistics {
    bool signal = false;
    bool carrier = false;
    bool code = false;
    bool sync = false;
    bool locked = false;
    std::optional<double> levelDbm = {}, levelRatio = {};
    std::optional<double> cnrDb = {}, cnrRatio = {};
    // Of what came since the last reading.
    std::optional<double> preBitErrorRatio = {}, bitErrorRatio = {}, blockErrorRatio = {};
    // Since tuning.
    std::optional<uint64_t> blockErrors = {}, blocks = {};
};

// Counters only grow from tuning on; one that fell begins anew, and gives no ratio for once.
class StatisticsReader {
 public:
    Statistics Read(const RawStatistics& raw);

 private:
    struct Counted {
        uint64_t errors = 0;
        uint64_t all = 0;
    };
    static std::optional<double> Ratio(const Measure& errors, const Measure& all, Counted& before);

    Counted pre_, post_, block_;
};

}  // namespace streamverse::dvb
