# SPDX-License-Identifier: GPL-2.0-or-later
# Writes a ctest test for each suite of a GoogleTest program: cmake -D PROGRAM=… -D OUTPUT=… -P discover_suites.cmake
execute_process(COMMAND ${PROGRAM} --gtest_list_tests OUTPUT_VARIABLE LIST COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "\n[A-Za-z0-9_/]+\\.[ \n]" SUITES "\n${LIST}")
set(TESTS "")
foreach(SUITE ${SUITES})
  string(REGEX MATCH "[A-Za-z0-9_/]+" SUITE ${SUITE})
  string(APPEND TESTS "add_test(${SUITE} ${PROGRAM} --gtest_brief=1 --gtest_filter=${SUITE}.*)\n")
endforeach()
file(WRITE ${OUTPUT} "${TESTS}")
