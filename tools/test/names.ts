/** Names that the test runner and the tests share. */

/** The words in the name of each test that needs a real VMM. */
export const NAMES_OF_VMM_TESTS = "real VMM";
