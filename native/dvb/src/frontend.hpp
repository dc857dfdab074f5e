// A tuner's frontend: tunes by an antenna's plan and measures. What touches the device is behind
// FrontendPort.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <span>

#include "dvb/src/antenna.hpp"
#include "dvb/src/statistics.hpp"
#include "dvb/src/tuning.hpp"

namespace streamverse::dvb {

// Each call throws DvbError by what the device answers. Called by one thread at a time.
class FrontendPort {
 public:
    virtual ~FrontendPort() = default;
    virtual void SetProperties(std::span<const Property> properties) = 0;
    virtual void SetVoltage(bool high) = 0;
    virtual void SetTone(bool on) = 0;
    virtual void SendBurst(bool second) = 0;
    virtual void SendMessage(std::span<const uint8_t> message) = 0;
    virtual RawStatistics ReadStatistics() = 0;
};

// Any thread; calls wait for each other. A tuning waits for switches, up to some hundred milliseconds.
class Frontend {
 public:
    explicit Frontend(std::unique_ptr<FrontendPort> port) : port_(std::move(port)) {}

    // Returns when the device has been ordered; lock is another matter. Throws DvbError NATIVE_DVB_CLOSED
    // when closed meanwhile, and what the port throws.
    void Tune(const Tuning& tuning, const Antenna& antenna);
    Statistics ReadStatistics();
    // Ends a waiting Tune and gives the device back. Idempotent.
    void Close();

 private:
    void Do(const ControlStep& step);
    void Pause(uint32_t ms);
    void RequireOpen() const;

    std::mutex deviceMutex_;
    std::unique_ptr<FrontendPort> port_;  // null when closed
    StatisticsReader reader_;

    std::mutex waitMutex_;
    std::condition_variable waiting_;
    bool closing_ = false;  // under waitMutex_
};

}  // namespace streamverse::dvb
