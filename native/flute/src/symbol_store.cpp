#include "flute/src/symbol_store.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace streamverse::flute {

int MemoryStore::Write(uint64_t offset, std::span<iovec> parts) {
    for (const iovec& part : parts) {
        if (offset > bytes_.size() || part.iov_len > bytes_.size() - offset) {
            return EFBIG;
        }
        std::memcpy(bytes_.data() + offset, part.iov_base, part.iov_len);
        offset += part.iov_len;
    }
    return 0;
}

int MemoryStore::Read(uint64_t offset, std::span<uint8_t> bytes) {
    if (offset > bytes_.size() || bytes.size() > bytes_.size() - offset) {
        return EFBIG;
    }
    std::memcpy(bytes.data(), bytes_.data() + offset, bytes.size());
    return 0;
}

void FileCache::Touch(FileStore& store) {
    if (store.descriptor_ >= 0 && files_.front() == &store) {
        return;
    }
    if (store.descriptor_ >= 0) {
        files_.splice(files_.begin(), files_, store.position_);
        return;
    }
    while (files_.size() >= filesMax_) {
        files_.back()->Close();
    }
    files_.push_front(&store);
    store.position_ = files_.begin();
}

void FileCache::Forget(FileStore& store) {
    files_.erase(store.position_);
}

int FileStore::Create(uint64_t size) {
    struct statfs room {};
    const int descriptor = ::open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (descriptor < 0) {
        return errno;
    }
    int failure = 0;
    const auto length = static_cast<off_t>(size);
    // Asking first spares the file system a long allocation that must fail.
    const bool asked = ::fstatfs(descriptor, &room) == 0 && room.f_blocks != 0;
    if (asked &&
        size / static_cast<uint64_t>(room.f_frsize > 0 ? room.f_frsize : room.f_bsize) > room.f_bavail) {
        failure = ENOSPC;
    } else if (asked && room.f_type == TMPFS_MAGIC) {
        // tmpfs allocates page by page, which would hold up reception for seconds; a full one shows when
        // written.
        failure = ::ftruncate(descriptor, length) == 0 ? 0 : errno;
    } else if (size > 0 && ::fallocate(descriptor, 0, 0, length) != 0) {
        failure = errno;
        if (failure == EOPNOTSUPP || failure == ENOSYS) {
            failure = ::ftruncate(descriptor, length) == 0 ? 0 : errno;
        }
    }
    if (failure != 0) {
        ::close(descriptor);
        ::unlink(path_.c_str());
        return failure;
    }
    cache_.Touch(*this);
    descriptor_ = descriptor;
    return 0;
}

int FileStore::Open() {
    if (descriptor_ >= 0) {
        cache_.Touch(*this);
        return 0;
    }
    const int descriptor = ::open(path_.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor < 0) {
        return errno;
    }
    cache_.Touch(*this);
    descriptor_ = descriptor;
    return 0;
}

int FileStore::Write(uint64_t offset, std::span<iovec> parts) {
    if (const int failure = Open(); failure != 0) {
        return failure;
    }
    while (!parts.empty()) {
        const ssize_t written =
            ::pwritev(descriptor_, parts.data(), static_cast<int>(parts.size()), static_cast<off_t>(offset));
        if (written < 0) {
            if (errno == EINTR) {
                continue;
            }
            return errno;
        }
        if (written == 0) {
            return EIO;
        }
        auto left = static_cast<size_t>(written);
        offset += left;
        while (!parts.empty() && left >= parts.front().iov_len) {
            left -= parts.front().iov_len;
            parts = parts.subspan(1);
        }
        if (!parts.empty() && left > 0) {
            parts.front().iov_base = static_cast<uint8_t*>(parts.front().iov_base) + left;
            parts.front().iov_len -= left;
        }
    }
    return 0;
}

int FileStore::Read(uint64_t offset, std::span<uint8_t> bytes) {
    if (const int failure = Open(); failure != 0) {
        return failure;
    }
    while (!bytes.empty()) {
        const ssize_t count = ::pread(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            return count < 0 ? errno : EIO;
        }
        bytes = bytes.subspan(static_cast<size_t>(count));
        offset += static_cast<uint64_t>(count);
    }
    return 0;
}

void FileStore::Close() {
    if (descriptor_ >= 0) {
        cache_.Forget(*this);
        ::close(descriptor_);
        descriptor_ = -1;
    }
}

void FileStore::Remove() {
    Close();
    ::unlink(path_.c_str());
}

}  // namespace streamverse::flute
