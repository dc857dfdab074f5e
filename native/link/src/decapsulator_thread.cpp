#include "link/src/decapsulator_thread.hpp"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <utility>

namespace streamverse::link {

namespace {

constexpr size_t kReadBytes = size_t{256} << 10;
constexpr size_t kDatagramOverheadBytes = 32;

double UnixMs() {
    using std::chrono::duration;
    return duration<double, std::milli>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

DecapsulatorThread::DecapsulatorThread(DecapsulatorOptions options, std::function<void()> onBatch,
                                       OnEnd onEnd)
    : options_(std::move(options)),
      onBatch_(std::move(onBatch)),
      onEnd_(std::move(onEnd)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      decoder_(*this, options_.selection, options_.frameBytes) {
    if (!wake_.valid()) {
        throw packet::SystemError("NATIVE_PACKET_SOCKET", "no descriptor for the decapsulator", errno);
    }
    if (options_.emit.has_value()) {
        packet::FindInterface(options_.emit->interfaceAddress);
        emitter_.emplace(*options_.emit);
    }
    if (const auto* udp = std::get_if<UdpInput>(&options_.input)) {
        packet::ReceiverOptions sockets;
        sockets.receiveBufferBytes = udp->receiveBufferBytes;
        sockets.gro = true;
        sockets_ = std::make_unique<packet::UdpReceiver>(sockets);
        static_cast<void>(sockets_->Join(udp->endpoint));
    }
    thread_ = std::thread([this] { Run(); });
}

void DecapsulatorThread::Stop() {
    const std::lock_guard stopping(stopMutex_);
    stopping_ = true;
    if (sockets_ != nullptr) {
        sockets_->Wake();
    }
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t woken = ::write(wake_.get(), &one, sizeof(one));
    if (thread_.joinable()) {
        thread_.join();
    }
}

bool DecapsulatorThread::Write(Bytes bytes) {
    {
        const std::lock_guard lock(mutex_);
        if (written_.size() + bytes.size() > kWaitingBytesMax) {
            return false;
        }
        written_.insert(written_.end(), bytes.begin(), bytes.end());
    }
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t woken = ::write(wake_.get(), &one, sizeof(one));
    return true;
}

DatagramBatch DecapsulatorThread::Take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(batch_, {});
}

DecapsulatorStats DecapsulatorThread::stats() const {
    const std::lock_guard decoding(decoderMutex_);
    const std::lock_guard lock(mutex_);
    return {decoder_.totals(), emitted_, kernelDrops_, dropped_};
}

void DecapsulatorThread::Look(const std::function<void(const LinkDecoder&)>& look) const {
    const std::lock_guard decoding(decoderMutex_);
    look(decoder_);
}

template <typename Work>
void DecapsulatorThread::Decode(Work&& work) {
    {
        const std::lock_guard decoding(decoderMutex_);
        work();
    }
    if (emitter_.has_value()) {
        emitter_->Flush(stopping_);
        const std::lock_guard decoding(decoderMutex_);
        emitted_ = emitter_->counters();
    }
    if (std::exchange(isBatchNew_, false)) {
        onBatch_();
    }
}

void DecapsulatorThread::OnDatagram(const Origin& origin, Bytes datagram) {
    if (emitter_.has_value()) {
        emitter_->Add(datagram);
    }
    if (!options_.givesDatagrams) {
        return;
    }
    const std::lock_guard lock(mutex_);
    const size_t held = batch_.bytes.size() + batch_.lengths.size() * kDatagramOverheadBytes;
    if (held + datagram.size() > kWaitingBytesMax) {
        ++dropped_;
        return;
    }
    isBatchNew_ = isBatchNew_ || batch_.lengths.empty();
    batch_.Add(origin, datagram, decoder_.totals().carrierBytes, UnixMs());
}

void DecapsulatorThread::Run() {
    pthread_setname_np(pthread_self(), "link-receive");
    try {
        if (sockets_ != nullptr) {
            ReadSockets();
        } else if (std::holds_alternative<FileInput>(options_.input)) {
            ReadFile();
        } else {
            ReadWritten();
        }
        if (!stopping_) {
            onEnd_(nullptr);
        }
    } catch (const packet::SystemError& error) {
        onEnd_(&error);
    } catch (const std::exception& error) {
        // Only memory can have run out: no bytes make exceptions.
        const packet::SystemError failure("NATIVE_LINK_FAILED", error.what());
        onEnd_(&failure);
    }
}

void DecapsulatorThread::ReadSockets() {
    while (!stopping_) {
        const auto datagrams = sockets_->Receive(-1);
        Decode([&] {
            for (const packet::Datagram& datagram : datagrams) {
                decoder_.OnDatagram(datagram.bytes);
            }
            kernelDrops_ = sockets_->counters().kernelDrops;
        });
    }
}

void DecapsulatorThread::ReadFile() {
    const std::string& path = std::get<FileInput>(options_.input).path;
    const packet::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file.valid()) {
        throw packet::SystemError("NATIVE_LINK_INPUT", "cannot open " + path, errno);
    }
    std::vector<uint8_t> bytes(kReadBytes);
    std::array<pollfd, 2> entries{{{file.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}}};
    while (!stopping_) {
        // Of a FIFO: its writer's end comes as a hang-up with nothing left to read.
        ::poll(entries.data(), entries.size(), -1);
        const ssize_t got = ::read(file.get(), bytes.data(), bytes.size());
        if (got == 0) {
            return;
        }
        if (got < 0) {
            if (errno != EAGAIN && errno != EINTR) {
                throw packet::SystemError("NATIVE_LINK_INPUT", "cannot read " + path, errno);
            }
            continue;
        }
        Decode([&] { decoder_.OnBytes(Bytes(bytes).first(static_cast<size_t>(got))); });
    }
}

void DecapsulatorThread::ReadWritten() {
    pollfd entry{wake_.get(), POLLIN, 0};
    while (!stopping_) {
        ::poll(&entry, 1, -1);
        uint64_t ignored;
        [[maybe_unused]] const ssize_t got = ::read(wake_.get(), &ignored, sizeof(ignored));
        std::vector<uint8_t> bytes;
        {
            const std::lock_guard lock(mutex_);
            bytes.swap(written_);
        }
        if (!bytes.empty()) {
            Decode([&] { decoder_.OnBytes(bytes); });
        }
    }
}

}  // namespace streamverse::link
