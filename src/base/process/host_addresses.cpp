// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/process/host_addresses.h"

#include <e2qcow/error.h>
#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <memory>
#include <thread>

#include "base/process/block_signals.h"
#include "base/process/wakeup.h"
#include "base/stop.h"

namespace e2qcow {
namespace {

// Of a question to the name service, which nothing interrupts. The thread that asks may outlive who waits.
struct Answer {
  Wakeup is_there;
  std::atomic<int> error{EAI_AGAIN};
  std::vector<std::string> addresses;
};

std::string text_of(const addrinfo& address) {
  std::array<char, NI_MAXHOST> text{};
  if (::getnameinfo(address.ai_addr, address.ai_addrlen, text.data(), text.size(), nullptr, 0,
                    NI_NUMERICHOST) != 0)
    return "";
  return address.ai_family == AF_INET6 ? fmt::format("[{}]", text.data()) : std::string(text.data());
}

void ask(const std::string& host, Answer& answer) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  answer.error = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (answer.error == 0) {
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
    for (const addrinfo* each = found; each != nullptr; each = each->ai_next)
      if (std::string text = text_of(*each); !text.empty()) answer.addresses.push_back(std::move(text));
  }
  answer.is_there.notify();
}

}  // namespace

std::vector<std::string> addresses_of_host(const std::string& host,
                                           std::chrono::steady_clock::time_point until) {
  const auto answer = std::make_shared<Answer>();
  {
    const BlockSignals blocked;
    std::thread([host, answer] { ask(host, *answer); }).detach();
  }
  std::array waited{Waited{.fd = answer->is_there.fd(), .to_read = true}};
  while (!waited[0].can_read && std::chrono::steady_clock::now() < until) wait_for_any(waited, until);
  if (!waited[0].can_read)
    fail(Errc::connection_lost, "the name service does not answer the question for " + host);
  if (answer->addresses.empty())
    fail(Errc::connection_lost, "no address of " + host + ": " + ::gai_strerror(answer->error));
  return answer->addresses;
}

}  // namespace e2qcow
