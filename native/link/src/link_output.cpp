#include "link/src/link_output.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <random>
#include <utility>

#include "link/src/bb_frame.hpp"
#include "link/src/link_decoder.hpp"

namespace streamverse::link {

namespace {

constexpr size_t kPacketsPerDatagram = 7;
constexpr int kPollMs = 20;
constexpr int64_t kSecondNs = 1'000'000'000;
constexpr int64_t kRtpClockHz = 90'000;

class UdpOutput final : public LinkOutput {
 public:
    explicit UdpOutput(const UdpOutputOptions& options)
        : options_(options),
          destination_(packet::ParseAddress(options.group, options.port)),
          sender_({.interfaceAddress = options.interfaceAddress, .ttl = options.ttl}) {
        sender_.Prepare(destination_.family());
        std::random_device random;
        source_ = random();
        number_ = static_cast<uint16_t>(random());
    }

    size_t portionUnits() const override { return options_.frameBytes > 0 ? 1 : kPacketsPerDatagram; }

    uint64_t Write(Bytes units, int64_t ns, const std::atomic<bool>& stopping) override {
        const size_t portion =
            options_.frameBytes > 0 ? options_.frameBytes : kPacketsPerDatagram * kTsPacketBytes;
        const size_t head = options_.frameBytes > 0 ? kModeAdaptationBytes : options_.isRtp ? kRtpBytes : 0;
        Bytes wire = units;
        if (head > 0) {
            wire_.clear();
            for (size_t at = 0; at < units.size(); at += portion) {
                PutHead(ns + options_.rate.NsOf(at / kTsPacketBytes, kTsPacketBytes));
                const Bytes part = units.subspan(at, portion);
                wire_.insert(wire_.end(), part.begin(), part.end());
            }
            wire = wire_;
        }
        const packet::Run run{&destination_, wire.data(), wire.size(), head + portion};
        const uint64_t before = sender_.counters().datagrams;
        const size_t all = units.size() / portion;
        try {
            sender_.Send({&run, 1}, stopping);
        } catch (const packet::SystemError&) {
            // A network that is down for a while must not end the stream.
        }
        return (all - (sender_.counters().datagrams - before)) * portion;
    }

 private:
    UdpOutputOptions options_;
    packet::SocketAddress destination_;
    packet::UdpSender sender_;
    std::vector<uint8_t> wire_;
    uint32_t source_ = 0;
    uint16_t number_ = 0;

    void PutHead(int64_t ns) {
        const size_t at = wire_.size();
        if (options_.frameBytes > 0) {
            wire_.resize(at + kModeAdaptationBytes);
            wire_[at] = kModeAdaptationSync;
            wire_[at + 1] = ModeAdaptationCommand(options_.pls);
            wire_[at + 2] = 0;  // a receiver's C/N
            wire_[at + 3] = static_cast<uint8_t>(number_++);
            return;
        }
        wire_.resize(at + kRtpBytes);
        wire_[at] = 0x80;
        wire_[at + 1] = kRtpTransportType;
        Write16(&wire_[at + 2], number_++);
        Write32(&wire_[at + 4], static_cast<uint32_t>(ns * (kRtpClockHz / 10'000) / (kSecondNs / 10'000)));
        Write32(&wire_[at + 8], source_);
    }
};

class FileOutput final : public LinkOutput {
 public:
    explicit FileOutput(std::string path) : path_(std::move(path)) {}

    uint64_t Write(Bytes units, int64_t, const std::atomic<bool>& stopping) override {
        while (!file_.valid() && !stopping) {
            Open();
        }
        while (!units.empty() && !stopping) {
            const ssize_t written = ::write(file_.get(), units.data(), units.size());
            if (written >= 0) {
                units = units.subspan(static_cast<size_t>(written));
            } else if (errno == EAGAIN) {
                pollfd entry{file_.get(), POLLOUT, 0};
                ::poll(&entry, 1, kPollMs);
            } else if (errno != EINTR) {
                throw packet::SystemError("NATIVE_LINK_OUTPUT", "cannot write to " + path_, errno);
            }
        }
        return units.size();
    }

 private:
    const std::string path_;
    packet::Descriptor file_;

    // A FIFO has to wait for its reader, and an order to stop must be seen meanwhile.
    void Open() {
        constexpr mode_t kMode = 0644;
        packet::Descriptor opened(
            ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, kMode));
        if (opened.valid()) {
            file_ = std::move(opened);
        } else if (errno == ENXIO) {
            ::poll(nullptr, 0, kPollMs);
        } else if (errno != EINTR) {
            throw packet::SystemError("NATIVE_LINK_OUTPUT", "cannot open " + path_, errno);
        }
    }
};

}  // namespace

std::unique_ptr<LinkOutput> MakeUdpOutput(const UdpOutputOptions& options) {
    return std::make_unique<UdpOutput>(options);
}

std::unique_ptr<LinkOutput> MakeFileOutput(std::string path) {
    return std::make_unique<FileOutput>(std::move(path));
}

uint64_t BytesOutput::Write(Bytes units, int64_t, const std::atomic<bool>&) {
    bool isFirst = false;
    {
        const std::lock_guard lock(mutex_);
        if (bytes_.size() + units.size() > kBytesMax) {
            return units.size();
        }
        isFirst = bytes_.empty();
        bytes_.insert(bytes_.end(), units.begin(), units.end());
    }
    if (isFirst) {
        onReady_();
    }
    return 0;
}

std::vector<uint8_t> BytesOutput::Take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(bytes_, {});
}

}  // namespace streamverse::link
