// What tests and tools may use of the chat service.
export { chatConfig, type ChatConfig } from './config.ts';
export { startChat, type ChatService } from './service.ts';
