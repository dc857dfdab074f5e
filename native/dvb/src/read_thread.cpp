#include "dvb/src/read_thread.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "dvb/src/dvb_error.hpp"

namespace streamverse::dvb {
namespace {

// A device that answers with nothing but errors is given up; a bad read in between is not.
constexpr unsigned kErrorsInARowMax = 100;
constexpr int kErrorPauseMs = 10;
// The kernel wakes nobody when it takes an adapter away and then waits until all have let go of it; who asks
// is told.
constexpr int kLookIntervalMs = 500;

}  // namespace

ReadThread::ReadThread(ReadOptions options, std::function<void()> onBatch)
    : options_(std::move(options)),
      onBatch_(std::move(onBatch)),
      buffer_(options_.readBytesMax),
      wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (!wake_.valid() || options_.descriptors.empty() || buffer_.empty()) {
        throw SystemFault("the reader cannot start", wake_.valid() ? EINVAL : errno);
    }
    if (!options_.read) {
        options_.read = [](int descriptor, void* into, size_t length) {
            return ::read(descriptor, into, length);
        };
    }
    thread_ = std::thread([this] { Run(); });
}

ReadThread::~ReadThread() {
    Stop();
}

void ReadThread::Stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    const uint64_t one = 1;
    // Fails only when the counter is full, and then the thread is awake.
    [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);
    const std::lock_guard join(joinMutex_);
    if (thread_.joinable()) {
        thread_.join();
        options_.descriptors.clear();
    }
}

ReadBatch ReadThread::Take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(batch_, {});
}

ReadStats ReadThread::Stats() const {
    const std::lock_guard lock(mutex_);
    return stats_;
}

void ReadThread::Run() {
    unsigned errorsInARow = 0;
    const int device = options_.descriptors.front().get();
    while (true) {
        std::array<pollfd, 2> waits{{{device, POLLIN, 0}, {wake_.get(), POLLIN, 0}}};
        const int ready = poll(waits.data(), waits.size(), kLookIntervalMs);
        {
            const std::lock_guard lock(mutex_);
            if (stopping_) {
                return;
            }
        }
        if (ready < 0) {
            if (errno == EINTR) {
                continue;
            }
            return End(errno);
        }
        if (ready == 0) {
            continue;
        }
        const bool gone = (waits[0].revents & (POLLERR | POLLNVAL)) != 0 && (waits[0].revents & POLLIN) == 0;
        if (!gone && ReadOnce()) {
            errorsInARow = 0;
            continue;
        }
        const int error = gone ? ENODEV : errno;
        // 0 is the end of a file.
        if (error == ENODEV || error == EBADF || error == 0 || ++errorsInARow > kErrorsInARowMax) {
            return End(error);
        }
        poll(&waits[1], 1, kErrorPauseMs);
    }
}

// False leaves errno; 0 there is the end of what is read.
bool ReadThread::ReadOnce() {
    const ssize_t length = options_.read(options_.descriptors.front().get(), buffer_.data(), buffer_.size());
    if (length > 0) {
        Add(buffer_.data(), static_cast<size_t>(length));
        return true;
    }
    const int error = length == 0 ? 0 : errno;
    if (error == EAGAIN || error == EINTR) {
        return true;
    }
    {
        const std::lock_guard lock(mutex_);
        if (error == EOVERFLOW) {
            ++stats_.overruns;
        } else if (error != 0) {
            ++stats_.damaged;
        }
    }
    errno = error;
    return error == EOVERFLOW;
}

void ReadThread::Add(const uint8_t* bytes, size_t length) {
    bool begun = false;
    {
        const std::lock_guard lock(mutex_);
        if (batch_.bytes.size() + length > options_.queueBytesMax) {
            stats_.dropped += length;
            return;
        }
        begun = batch_.bytes.empty();
        stats_.bytes += length;
        batch_.bytes.insert(batch_.bytes.end(), bytes, bytes + length);
        if (options_.keepLengths) {
            batch_.lengths.push_back(static_cast<uint32_t>(length));
        }
    }
    if (begun) {
        onBatch_();
    }
}

void ReadThread::End(int error) {
    {
        const std::lock_guard lock(mutex_);
        stats_.error = error;
        stats_.ended = true;
    }
    onBatch_();
}

}  // namespace streamverse::dvb
