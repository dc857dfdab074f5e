// Where samples go: a file or pipe, datagrams, a transmitter.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>

#include "modem/src/sample_format.hpp"

namespace streamverse::modem {

// The output cannot be used, or no longer.
class OutputError : public std::runtime_error {
 public:
    using std::runtime_error::runtime_error;
};

// One thread. Each call may block, and returns soon after `stop` became true.
class SampleSink {
 public:
    virtual ~SampleSink() = default;

    // Throws OutputError.
    virtual void Open(const std::atomic<bool>& stop) = 0;

    // Whole samples in the format that it was made for. Throws OutputError.
    virtual void Write(std::span<const uint8_t> bytes, const std::atomic<bool>& stop) = 0;

    // Whether Write waits for the output's own sample clock; else somebody else must.
    virtual bool HasClock() const { return false; }

    // Times that the output's clock found no samples.
    virtual uint64_t underruns() const { return 0; }
};

struct SoapyOptions {
    std::string arguments;  // of the driver: driver=lime,serial=...
    double frequencyHz;
    double gainDb;
    double sampleRate;
    unsigned channel = 0;
    std::string antenna;  // empty: the driver's own choice
};

struct UdpOptions {
    std::string address;
    uint16_t port;
    std::string interfaceAddress;
    int ttl = 1;
};

std::unique_ptr<SampleSink> MakeFileSink(const std::string& path);
// Throws OutputError for an address that is none.
std::unique_ptr<SampleSink> MakeUdpSink(const UdpOptions& options);
// The library is looked for when it is opened: a machine without transmitters needs none.
std::unique_ptr<SampleSink> MakeSoapySink(const SoapyOptions& options, SampleFormat format);

}  // namespace streamverse::modem
