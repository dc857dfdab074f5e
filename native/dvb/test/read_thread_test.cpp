#include "dvb/src/read_thread.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <string>

#include "dvb/src/dvb_error.hpp"
#include "test/check.hpp"

namespace {

using namespace streamverse::dvb;

// A device whose reads keep their lengths, as a demultiplexer's sections do: the thread reads one end.
struct Device {
    Descriptor near, far;
    Device() {
        std::array<int, 2> ends{};
        CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) == 0);
        near = Descriptor(ends[0]);
        far = Descriptor(ends[1]);
    }
    void Give(const std::string& bytes) const {
        CHECK(write(far.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
    }
};

struct Bell {
    std::mutex mutex;
    std::condition_variable rung;
    unsigned rings = 0;
    void Ring() {
        const std::lock_guard lock(mutex);
        ++rings;
        rung.notify_all();
    }
    template <typename Condition>
    void Until(Condition condition) {
        std::unique_lock lock(mutex);
        while (!condition()) {
            CHECK(rung.wait_for(lock, std::chrono::seconds(30)) == std::cv_status::no_timeout || condition());
        }
    }
};

ReadOptions OptionsOf(Device& device) {
    ReadOptions options{.keepLengths = true, .queueBytesMax = 1000, .readBytesMax = 4096};
    options.descriptors.push_back(std::move(device.near));
    return options;
}

void KeepsReadsApart() {
    Device device;
    Bell bell;
    ReadThread thread(OptionsOf(device), [&] { bell.Ring(); });
    device.Give("first");
    device.Give("second");
    ReadBatch all;
    bell.Until([&] {
        const ReadBatch batch = thread.Take();
        all.bytes.insert(all.bytes.end(), batch.bytes.begin(), batch.bytes.end());
        all.lengths.insert(all.lengths.end(), batch.lengths.begin(), batch.lengths.end());
        return all.lengths.size() == 2;
    });
    CHECK((all.lengths == std::vector<uint32_t>{5, 6}));
    CHECK(std::string(all.bytes.begin(), all.bytes.end()) == "firstsecond");
    thread.Stop();
    thread.Stop();
    CHECK(!thread.Stats().ended && thread.Stats().bytes == 11);
}

void CountsWhatIsTooMuch() {
    Device device;
    Bell bell;
    ReadThread thread(OptionsOf(device), [&] { bell.Ring(); });
    device.Give(std::string(900, 'a'));
    device.Give(std::string(200, 'b'));
    device.far = Descriptor();
    bell.Until([&] { return thread.Stats().ended; });
    const ReadStats stats = thread.Stats();
    CHECK(stats.bytes == 900 && stats.dropped == 200 && stats.error == 0 && stats.overruns == 0);
    CHECK(thread.Take().bytes.size() == 900);
}

// The kernel answers EOVERFLOW once, has thrown its buffer away, and goes on.
void CountsOverrunsAndGoesOn() {
    Device device;
    Bell bell;
    ReadOptions options = OptionsOf(device);
    std::atomic<int> calls = 0;
    options.read = [&](int descriptor, void* into, size_t length) -> ssize_t {
        const int call = calls++;
        if (call < 2) {
            errno = call == 0 ? EOVERFLOW : EIO;
            return -1;
        }
        return read(descriptor, into, length);
    };
    ReadThread thread(std::move(options), [&] { bell.Ring(); });
    device.Give("afterwards");
    bell.Until([&] { return thread.Stats().bytes == 10; });
    CHECK(thread.Stats().overruns == 1 && thread.Stats().damaged == 1 && !thread.Stats().ended);
}

void EndsWhenTheAdapterIsGone() {
    Device device;
    Bell bell;
    ReadOptions options = OptionsOf(device);
    options.read = [](int, void*, size_t) -> ssize_t {
        errno = ENODEV;
        return -1;
    };
    ReadThread thread(std::move(options), [&] { bell.Ring(); });
    device.Give("x");
    bell.Until([&] { return thread.Stats().ended; });
    CHECK(thread.Stats().error == ENODEV);
}

void RefusesToReadNothing() {
    CHECK_THROWS(ReadThread(ReadOptions{.queueBytesMax = 1, .readBytesMax = 1}, [] {}), DvbError);
}

}  // namespace

int main() {
    KeepsReadsApart();
    CountsWhatIsTooMuch();
    CountsOverrunsAndGoesOn();
    EndsWhenTheAdapterIsGone();
    RefusesToReadNothing();
    return 0;
}
