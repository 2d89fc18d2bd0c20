/** On one mailbox. The server allows four; one is left for people. */
export const REQUESTS_AT_A_TIME = 3;
