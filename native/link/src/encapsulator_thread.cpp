#include "link/src/encapsulator_thread.hpp"

#include <pthread.h>

#include <algorithm>

#include "packet/src/pacer.hpp"

namespace streamverse::link {

namespace {

// What is later than this is a gap in the output: to make up for it would be a burst that no modulator's
// buffer holds.
constexpr int64_t kLatenessNsMax = 100'000'000;
// Wake-ups are no closer than this, however high the rate is.
constexpr int64_t kPortionNs = 1'000'000;
constexpr int64_t kSleepNs = 20'000'000;

packet::ReceiverOptions SocketOptions(int receiveBufferBytes) {
    packet::ReceiverOptions options;
    options.receiveBufferBytes = receiveBufferBytes;
    options.tellsSource = true;
    options.gro = true;
    return options;
}

uint64_t BitsPerSecond(const LinkRate& rate) {
    return std::max<uint64_t>(1, rate.bits / rate.seconds);
}

}  // namespace

EncapsulatorThread::EncapsulatorThread(const EncoderOptions& options,
                                       const std::vector<EncapsulatorInput>& inputs, int receiveBufferBytes,
                                       std::unique_ptr<LinkOutput> output, OnFailed onFailed)
    : rate_(options.rate),
      encoder_(options),
      unitBytes_(encoder_.unitBytes()),
      sockets_(SocketOptions(receiveBufferBytes)),
      output_(std::move(output)),
      onFailed_(std::move(onFailed)) {
    for (const EncapsulatorInput& input : inputs) {
        const auto group = packet::ParseAddress(input.endpoint.group, input.endpoint.port);
        Flow flow{EndOf(group.get()), std::nullopt, input.serviceId};
        if (!input.sourceAddress.empty()) {
            flow.source = EndOf(packet::ParseAddress(input.sourceAddress, 0).get());
        }
        flows_.emplace(sockets_.Join(input.endpoint), flow);
    }
    receiving_ = std::thread([this] { Receive(); });
    sending_ = std::thread([this] { Send(); });
}

void EncapsulatorThread::Stop() {
    const std::lock_guard stopping(stopMutex_);
    stopping_ = true;
    sockets_.Wake();
    for (std::thread* const thread : {&receiving_, &sending_}) {
        if (thread->joinable()) {
            thread->join();
        }
    }
}

EncapsulatorStats EncapsulatorThread::stats() const {
    const std::lock_guard lock(mutex_);
    EncapsulatorStats stats = stats_;
    stats.totals = encoder_.totals();
    stats.queuedBytes = encoder_.queuedBytes();
    return stats;
}

void EncapsulatorThread::Receive() {
    pthread_setname_np(pthread_self(), "link-take");
    while (!stopping_) {
        const auto datagrams = sockets_.Receive(-1);
        const std::lock_guard lock(mutex_);
        for (const packet::Datagram& datagram : datagrams) {
            Take(datagram);
        }
        stats_.kernelDrops = sockets_.counters().kernelDrops;
    }
}

void EncapsulatorThread::Take(const packet::Datagram& datagram) {
    const Flow& flow = flows_.at(datagram.endpoint);
    UdpEnd source = EndOf(datagram.source);
    if (flow.source.has_value()) {
        source.isIpv4 = flow.source->isIpv4;
        source.address = flow.source->address;
    }
    Pushed pushed = Pushed::kRefused;
    if (WriteUdpDatagram(source, flow.destination, datagram.bytes, ++identification_, datagram_)) {
        pushed = encoder_.Push(flow.serviceId, datagram_);
    }
    if (pushed == Pushed::kRefused) {
        ++stats_.refusedDatagrams;
    } else if (pushed == Pushed::kDropped) {
        ++stats_.droppedDatagrams;
        stats_.droppedBytes += datagram_.size();
    }
}

void EncapsulatorThread::Send() {
    pthread_setname_np(pthread_self(), "link-send");
    packet::PreferTimeliness(BitsPerSecond(rate_));
    try {
        SendUntilStopped();
    } catch (const packet::SystemError& error) {
        onFailed_(error);
    }
}

void EncapsulatorThread::SendUntilStopped() {
    const size_t portion = output_->portionUnits();
    const int64_t beginNs = packet::MonotonicNs();
    int64_t gapsNs = 0;
    uint64_t sent = 0;
    std::vector<uint8_t> units;
    while (!stopping_) {
        // A portion goes when the last of its units is due.
        const int64_t dueNs = beginNs + gapsNs + rate_.NsOf(sent + portion, unitBytes_);
        const int64_t nowNs = packet::MonotonicNs();
        if (nowNs < dueNs) {
            packet::SleepUntil(std::max(dueNs, nowNs + kPortionNs), kSleepNs);
            continue;
        }
        const bool isLate = nowNs - dueNs > kLatenessNsMax;
        gapsNs += isLate ? nowNs - dueNs : 0;
        const uint64_t due = rate_.UnitsIn(nowNs - beginNs - gapsNs, unitBytes_);
        const size_t count = std::max<size_t>(1, (due - sent) / portion) * portion;
        units.resize(std::max(units.size(), count * unitBytes_));
        {
            const std::lock_guard lock(mutex_);
            encoder_.Write(count, units.data());
            stats_.underruns += isLate ? 1 : 0;
            stats_.underrunNs = gapsNs;
            stats_.elapsedNs = nowNs - beginNs;
        }
        const uint64_t lost =
            output_->Write(Bytes(units).first(count * unitBytes_), rate_.NsOf(sent, unitBytes_), stopping_);
        sent += count;
        const std::lock_guard lock(mutex_);
        stats_.lostBytes += lost;
    }
}

}  // namespace streamverse::link
